package callback

import (
	"fmt"
	"slices"
	"strings"

	"farrier/shared/chain"
	"farrier/shared/problem"
)

// Settings are what differs between connections of one provider.
type Settings struct {
	// Chain is the chain that every callback is about; without it the body names one.
	Chain           string `json:"chain,omitempty" dynamodbav:"chain,omitempty"`
	ChainPath       string `json:"chain_path,omitempty" dynamodbav:"chain_path,omitempty"`             // default "data.chain"
	TransactionPath string `json:"transaction_path,omitempty" dynamodbav:"transaction_path,omitempty"` // default "data.transaction"

	Format      string   `json:"format,omitempty" enum:"json,form,xml" doc:"of the body; without it JSON" dynamodbav:"format,omitempty"`
	VersionPath string   `json:"version_path,omitempty" maxLength:"128" doc:"to the version of the body's form" dynamodbav:"version_path,omitempty"`
	Versions    []string `json:"versions,omitempty" minItems:"1" maxItems:"20" maxLength:"64" doc:"that are understood: another is the outcome unknown_version" dynamodbav:"versions,omitempty"`
	Required    []string `json:"required,omitempty" minItems:"1" maxItems:"20" maxLength:"128" doc:"paths that must be there" dynamodbav:"required,omitempty"`

	HMAC *HMAC `json:"hmac,omitempty" dynamodbav:"hmac,omitempty"` // of the provider "hmac"

	// WebhookID is what new addresses are registered with, where the connection has the credential for it.
	WebhookID string `json:"webhook_id,omitempty" maxLength:"67" doc:"the provider's id of its webhook (alchemy) or stream (moralis): with the credential for its API, each new deposit address is registered there" dynamodbav:"webhook_id,omitempty"`

	Region string `json:"region,omitempty" maxLength:"32" doc:"of the provider, where it has several; without it the usual one" dynamodbav:"region,omitempty"`

	Assets  map[string]KnownAsset `json:"assets,omitempty" maxProperties:"50" doc:"what the provider's own names of assets stand for" dynamodbav:"assets,omitempty"`
	Sources []string              `json:"sources,omitempty" minItems:"1" maxItems:"50" maxLength:"43" doc:"addresses and prefixes that callbacks may come from; without it all" dynamodbav:"sources,omitempty"`
}

// chainForm is a CAIP-2 name (https://chainagnostic.org/CAIPs/caip-2, read 2026-11-21).
func chainForm(s string) bool {
	const lower, digits = "abcdefghijklmnopqrstuvwxyz", "-0123456789"
	namespace, reference, _ := strings.Cut(s, ":")
	return madeOf(namespace, lower+digits, 3, 8) && madeOf(reference, lower+strings.ToUpper(lower)+digits+"_", 1, 32)
}

// settle completes what every source has; its errors name the field.
func (s *Settings) settle(chains *chain.Set) error {
	switch {
	case s.Chain != "" && !chainForm(s.Chain):
		return problem.Field("chain", `must be a CAIP-2 chain such as "eip155:137"`)
	case s.Chain != "" && s.ChainPath != "":
		return problem.Field("chain_path", "cannot be set beside chain")
	case s.ChainPath != "" && !pathForm(s.ChainPath):
		return problem.Field("chain_path", pathRule)
	case s.TransactionPath != "" && !pathForm(s.TransactionPath):
		return problem.Field("transaction_path", pathRule)
	}
	if s.Chain != "" && chains != nil {
		if _, configured := chains.Chain(chain.ID(s.Chain)); !configured {
			return problem.Field("chain", "is not a configured chain")
		}
	}
	for _, settle := range []func() error{s.settleForm, s.settleAssets, s.settleSources} {
		if err := settle(); err != nil {
			return err
		}
	}
	return nil
}

const mostNamed = 20 // versions, and required paths

// settleForm checks what a body must be like.
func (s *Settings) settleForm() error {
	switch {
	case s.Format != "" && s.Format != formatJSON && s.Format != formatForm && s.Format != formatXML:
		return problem.Field("format", `must be "json", "form" or "xml"`)
	case s.VersionPath != "" && !pathForm(s.VersionPath):
		return problem.Field("version_path", pathRule)
	case s.VersionPath == "" && len(s.Versions) > 0:
		return problem.Field("version_path", "is required for versions")
	case s.VersionPath != "" && (len(s.Versions) == 0 || len(s.Versions) > mostNamed):
		return problem.Field("versions", "must be 1 to 20 where there is a version_path")
	case len(s.Required) > mostNamed:
		return problem.Field("required", "must be at most 20")
	}
	for i, version := range s.Versions {
		if len(version) > 64 || nameOf(version) == "" {
			return problem.Field(fmt.Sprintf("versions[%d]", i), "must be 1 to 64 printable characters")
		}
	}
	for i, path := range s.Required {
		if !pathForm(path) {
			return problem.Field(fmt.Sprintf("required[%d]", i), pathRule)
		}
	}
	return nil
}

// fits refuses settings that a source has no use for.
func (s Settings) fits(provider string, source Source) error {
	if s.HMAC != nil && provider != "hmac" {
		return problem.Field("hmac", `is for the provider "hmac" only`)
	}
	if s.Region != "" && !slices.Contains(source.Regions, s.Region) {
		return problem.Field("region", regionRule(source))
	}
	if err := s.settleRegistering(source); err != nil {
		return err
	}
	if source.Paths {
		return nil
	}
	for _, path := range []struct {
		field string
		set   bool
	}{
		{"chain_path", s.ChainPath != ""}, {"transaction_path", s.TransactionPath != ""}, {"format", s.Format != ""},
		{"version_path", s.VersionPath != ""}, {"required", len(s.Required) > 0},
	} {
		if path.set {
			return problem.Field(path.field, "is not for this provider: how its bodies are made is known")
		}
	}
	return nil
}

func regionRule(source Source) string {
	if len(source.Regions) == 0 {
		return "is not for this provider: it has one region"
	}
	return "must be one of " + strings.Join(source.Regions, ", ")
}
