// Package policy is what the operator allows to be paid out: whose approvals a payout needs, how much may go out, what it may
// cost, and to whom. It is one JSON document, the template's parameter PayoutPolicy:
//
//	{"rules":   [{"asset": "eip155:1/slip44:60", "above": "1000000000000000000", "need": 2, "of": ["apr_…", "apr_…", "apr_…"]}],
//	 "age":     "24h",
//	 "limits":  [{"asset": "eip155:1/slip44:60", "scope": "payout", "most": "5000000000000000000"},
//	             {"asset": "eip155:1/slip44:60", "scope": "day", "most": "50000000000000000000"}],
//	 "fees":    [{"chain": "eip155:1", "most": "20000000000000000", "day": "500000000000000000"}],
//	 "destinations": "allowed",
//	 "wait":    "24h",
//	 "least":   [{"asset": "eip155:1/slip44:60", "amount": "1000000000000000"}]}
//
// It promises: what is not allowed is forbidden. An asset without a rule, without a limit for each payout and for the day, or
// on a chain without a fee is not paid out at all, so that the empty document pays nothing; where nothing is said of
// destinations, only those on the merchant's list are paid. A document with a name that is not known, or with a value that
// cannot be meant, is refused by the name of the field: a limit with a mistyped name would be no limit.
//
// The signer alone decides by it, and reads it from its own environment. The API and pay have the same document, so that they
// can say early what the signer would say.
package policy
