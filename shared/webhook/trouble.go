package webhook

import "strconv"

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
