package callback

import "time"

// stampedLines is "time\nnonce\nbody\n", which several providers sign. The time is digits of its unit, within the window,
// and the nonce has no space and no comma, so what is signed can be read in one way only.
func stampedLines(d Delivery, stampHeader, nonceHeader string, unit, window time.Duration) ([]byte, error) {
	stamp, err := d.Headers.one(stampHeader)
	if err != nil {
		return nil, err
	}
	nonce, err := d.Headers.one(nonceHeader)
	if err != nil {
		return nil, err
	}
	if !visible(nonce) {
		return nil, HeaderMalformed
	}
	if err := d.inTime(stamp, unit, window); err != nil {
		return nil, err
	}
	lines := make([]byte, 0, len(stamp)+len(nonce)+len(d.Body)+3)
	for _, line := range [][]byte{[]byte(stamp), []byte(nonce), d.Body} {
		lines = append(append(lines, line...), '\n')
	}
	return lines, nil
}
