// Package outside is how this system calls addresses that others chose: merchants' endpoints, providers' keys.
//
// It promises:
//
//   - Nothing is connected to that is not public: loopback, private, link-local, carrier-grade NAT, unique
//     local, 6to4, NAT64 and metadata addresses are refused at each connection, after the name is resolved.
//   - No proxy, not even one from the environment, and no redirect is followed.
//   - TLS 1.2 or newer with modern suites alone, and a certificate that is verified. Only the local run may use loopback.
//   - HTTP/1.1 alone. A post has a connection of its own, so that no slow answer stands before another one; what an
//     HTTP/2 server can do to its client (floods of frames, windows that never open) cannot be done to us; and it takes
//     less processor. What HTTP/2 spares, a connection for each request at once, is small here: few go to one host.
//   - What went wrong is said in a few words (Trouble) that tell nothing of what a name resolved to.
package outside
