// Package outside is how this system calls addresses that others chose: merchants' endpoints, providers' keys.
//
// It promises:
//
//   - Nothing is connected to that is not public: loopback, private, link-local, carrier-grade NAT, unique
//     local, 6to4, NAT64 and metadata addresses are refused at each connection, after the name is resolved.
//   - No proxy, not even one from the environment, and no redirect is followed.
//   - TLS 1.2 or newer. Only the local run may use loopback.
//   - What went wrong is said in a few words (Trouble) that tell nothing of what a name resolved to.
package outside
