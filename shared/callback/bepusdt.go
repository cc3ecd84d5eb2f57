package callback

import "net/http"

// bepusdt is BEpusdt, which grew out of epusdt and still signs as that did before version 2 (https://github.com/v03413/BEpusdt: docs/api/api.md,
// docs/notify/readme.md and app/task/notify/notify.go at fdbecad, read 2026-11-24). It posts every minute, rightly
// signed, that an order is still *unpaid*. "token" is the receiving address; neither coin nor chain is named, so there is no
// amount to read. An unpaid order's text can change when it is made anew, and is then another event.
var bepusdt = Source{
	Trusts: []Trust{Look}, CheckSecret: checkSharedText, Verify: verifyFields(md5Before),
	Read: readBepusdt, Answer: Answer{Status: http.StatusOK, ContentType: "text/plain", Body: "ok"},
}

func readBepusdt(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	n, err := readOrder(doc, s)
	if err != nil {
		return nil, err
	}
	n.Address = doc.name("token")
	return []Notice{n}, nil
}
