package cloud

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// HTTPClient is what the SDK makes its calls through: it keeps many connections to one service, and
// sends each request whole.
func HTTPClient() aws.HTTPClient {
	return whole{awshttp.NewBuildableClient().
		WithTimeout(10 * time.Second).
		WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = 64 })}
}

// whole gives net/http each body as bytes in memory. The SDK's own kind of body is unknown to net/http,
// which then sends the header in a packet of its own and the body after it; and where the answer comes
// before net/http has looked for the body's end, the SDK has closed the body, its WriteTo says io.EOF
// (smithy-go's safeWriteToReadCloser), and net/http takes that for a failed request and closes the
// connection: about one call in a thousand to a fast service was done and lost its answer.
type whole struct{ client aws.HTTPClient }

func (w whole) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return w.client.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return w.client.Do(r)
}
