package bitcoin

import "strings"

// Network is one of Bitcoin's networks.
type Network struct {
	Name    string // for people
	Genesis string // the hash of its first block, lower case
	// LeastWork is the easiest target that a block may have, as a header writes it ("bits").
	LeastWork uint32
	// Heights is the first block from which on each names its own height (BIP-34); 0 where none must.
	Heights uint64

	prefix     string // of bech32 addresses (BIP-173, "human-readable part")
	pubKeyHash byte   // first byte of a P2PKH address
	scriptHash byte   // first byte of a P2SH address
}

// Reference is the network's name in CAIP-2, where the namespace is "bip122": the first 32 digits of the hash of its first
// block (https://namespaces.chainagnostic.org/bip122/caip2).
func (n Network) Reference() string { return n.Genesis[:32] }

// networks are all that are known. Signet is the public one; one that somebody makes for himself has the same first block.
var networks = [...]Network{
	{Name: "the main network", Genesis: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", LeastWork: 0x1d00ffff, Heights: 227931, prefix: "bc", pubKeyHash: 0x00, scriptHash: 0x05},
	{Name: "testnet3", Genesis: "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943", LeastWork: 0x1d00ffff, Heights: 21111, prefix: "tb", pubKeyHash: 0x6f, scriptHash: 0xc4},
	{Name: "testnet4", Genesis: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043", LeastWork: 0x1d00ffff, Heights: 1, prefix: "tb", pubKeyHash: 0x6f, scriptHash: 0xc4},
	{Name: "signet", Genesis: "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6", LeastWork: 0x1e0377ae, Heights: 1, prefix: "tb", pubKeyHash: 0x6f, scriptHash: 0xc4},
	{Name: "regtest", Genesis: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206", LeastWork: 0x207fffff, prefix: "bcrt", pubKeyHash: 0x6f, scriptHash: 0xc4},
	{Name: "simnet", Genesis: "683e86bd5c6d110d91b94b97137ba6bfe02dbbdb8e3dff722a669b5d69d77af6", LeastWork: 0x207fffff, Heights: 1, prefix: "sb", pubKeyHash: 0x3f, scriptHash: 0x7b},
}

// NetworkOf finds a network by its CAIP-2 reference.
func NetworkOf(reference string) (Network, bool) {
	for _, n := range networks {
		if n.Reference() == reference {
			return n, true
		}
	}
	return Network{}, false
}

// Known says whether a CAIP-2 reference names a network.
func Known(reference string) bool {
	_, ok := NetworkOf(reference)
	return ok
}

// named are the networks for which something holds, in one phrase; "" where it holds for none.
func named(holds func(Network) bool) string {
	var names []string
	for _, n := range networks {
		if holds(n) {
			names = append(names, n.Name)
		}
	}
	return strings.Join(names, ", ")
}
