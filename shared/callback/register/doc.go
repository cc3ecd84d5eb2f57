// Package register tells providers that watch chains for us (Alchemy, Moralis) which addresses to watch: each new deposit
// address of a merchant, for each of its connections that has the provider's key and the id of a webhook or stream there.
//
// The watch never depends on it. It finds every deposit by itself, from our own table of addresses; a provider that was
// told only makes it look a little sooner. So all of this may be late, or fail for good, and no money is lost or delayed
// by more than the minute that the watch takes anyway.
//
// It promises:
//
//   - A new address comes out of the stream of the addresses' table, and costs no write. The stream never waits for a
//     provider: a Dispatcher makes jobs of its records, and a Registrar takes jobs out of a queue and calls. A call holds
//     all that a batch of the queue has for a connection, up to what the provider takes at once.
//   - Registering twice does no harm: both providers keep a set of addresses (see alchemy.go and moralis.go). So
//     everything here may run again at any point, and there is nothing to remember of what was done.
//   - What a provider cannot do just now (429, 5xx, no answer) comes again with the queue's retries, alone. What it refuses
//     for good goes into the dead-letter queue at once with the reason, is counted as RegistrationRefused, and can be put
//     back.
//   - Addresses from before a connection registered are registered too: page by page through the same queue, each page's
//     job naming where it begins. A job that is run again or put back goes on from there. It begins some minutes after
//     the connection changed, when no process can remember the merchant without it. Giving the key once more begins anew.
//   - The provider's key is opened for a call, and is in no job, no log and no letter; what the provider answers beside its
//     status is not told on, because it may repeat what it was sent.
package register
