package cloud

import (
	"bytes"
	"io"
)

// withoutAnswers is an output of package log. Of what a server says unasked on a kept connection net/http logs the first
// kilobytes, and no setting keeps it from that (net/http/transport.go, readLoopPeekFailLocked): a server of anybody could
// fill the log with them, and could repeat there what it was sent. Of such a line the beginning is kept.
type withoutAnswers struct{ out io.Writer }

var saysAnswer = []byte(" starting with ")

func (w withoutAnswers) Write(line []byte) (int, error) {
	kept := line
	if fact, _, says := bytes.Cut(line, saysAnswer); says {
		kept = append(bytes.Clone(fact), '\n')
	}
	if _, err := w.out.Write(kept); err != nil {
		return 0, err
	}
	return len(line), nil
}
