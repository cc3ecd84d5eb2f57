package callback

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
)

// Outcome is what became of a callback; empty where nothing was wrong with it.
type Outcome string

// The outcomes that are trouble.
const (
	Conflict     Outcome = "conflict"      // another body came under the id before; this one was not followed
	Unreadable_  Outcome = "unreadable"    // it says nothing that we understand
	UnknownChain Outcome = "unknown_chain" // it is about a chain that is not configured
)
