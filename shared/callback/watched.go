package callback

import "farrier/shared/chain"

// networkOf is the chain that a provider's name of a network means. A connection that names its chain means that one,
// whatever the provider calls it: so a test network, or one that names.go does not have, can be watched.
func (s Settings) networkOf(name string) chain.ID {
	if s.Chain != "" {
		return chain.ID(s.Chain)
	}
	on, _ := chainNamed(name)
	return on
}

// bounded is what a batch says, in notices that a queue can take: where it has more than mostTransactions, one for each
// chain, that asks for a look at all that is new there. It is for watchers of a chain, whose amounts nobody trusts.
func bounded(notices []Notice) []Notice {
	if len(notices) <= mostTransactions {
		return notices
	}
	var chains []Notice
	seen := map[chain.ID]bool{}
	for _, n := range notices {
		if !seen[n.Chain] {
			seen[n.Chain] = true
			chains = append(chains, Notice{Kind: DepositSeen, Chain: n.Chain})
		}
	}
	return chains
}

// orOther is what a batch says, or that it means nothing for money: a test, or what others did.
func orOther(notices []Notice, detail string) []Notice {
	if len(notices) == 0 {
		return []Notice{{Kind: Other, Detail: detail}}
	}
	return bounded(notices)
}

// someAmount says whether a watcher gives a raw value: nothing, and "0x" alone, are none.
func someAmount(raw string) bool { return raw != "" && raw != "0x" }

// firstName is the first name that is there, among paths for the same in several forms of a body.
func (d document) firstName(paths ...string) string {
	for _, path := range paths {
		if name := d.name(path); name != "" {
			return name
		}
	}
	return ""
}

// eventAt is the id of the event at a path of a body of JSON whose signature was right; a body that has none there is
// its own.
func (d Delivery) eventAt(paths ...string) string {
	if doc, err := parseJSON(d.Body); err == nil {
		if id := doc.firstName(paths...); id != "" {
			return eventID(id)
		}
	}
	return hashed(d.Body)
}

// worth sets amount and asset by a decimal and a code at two paths, see price. Its error names the path.
func (n *Notice) worth(doc document, s Settings, amount, code string) error {
	given, err := doc.decimal(amount)
	if err != nil {
		return err
	}
	if n.price(s, doc.name(code), given) != nil {
		return ReadError(amount + " is no amount of an asset with so many decimals")
	}
	return nil
}
