package webhook

import "strconv"

// troubleNoPlace is what is said of an attempt that was given up early.
const troubleNoPlace = "time: it took more than 2 seconds while many other attempts did; it is made again when it is the endpoint's turn"

// troubleOfStatus says why an answer is no success.
func troubleOfStatus(status int) string {
	switch {
	case status >= 200 && status < 300:
		return ""
	case status >= 300 && status < 400:
		return "status " + strconv.Itoa(status) + ": redirects are not followed"
	default:
		return "status " + strconv.Itoa(status) + ": only 2xx is success"
	}
}
