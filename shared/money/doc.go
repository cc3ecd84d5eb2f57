// Package money holds amounts and the assets they are counted in.
//
// It promises: an Amount is an exact integer in the asset's smallest unit, of
// at most 78 digits (a uint256), and is never a float on any path; parsing
// refuses what it cannot represent exactly instead of rounding; an Asset is
// named by CAIP-19, always in one spelling, so that equal assets are equal
// strings and a token of the same symbol at another address is another asset.
package money
