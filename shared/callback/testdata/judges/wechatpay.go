//go:build ignore

// Notices that WeChat Pay's own SDK verifies and decrypts, signed with its signer, for wechatpay_test.go:
//
//	go mod init judge && go get github.com/wechatpay-apiv3/wechatpay-go@v0.2.21 && go run wechatpay.go > wechatpay.json
package main

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/signers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/consts"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
)

const (
	apiV3Key    = "an-api-v3-key-for-tests-of-32-by"
	publicKeyID = "PUB_KEY_ID_0000000000000024101100397200000006"
)

type vector struct {
	SDK, Key, APIv3Key string
	Headers            map[string]string
	Body               string
	Plain              string
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	ctx := context.Background()
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	template := x509.Certificate{SerialNumber: big.NewInt(0x0a7bcdef01234567), Subject: pkix.Name{CommonName: "Tenpay.com sign"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(5, 0, 0)}
	der := must(x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key))
	certificate := must(x509.ParseCertificate(der))
	signer := &signers.SHA256WithRSASigner{MchID: "1900000109", CertificateSerialNo: "1", PrivateKey: key}
	inPEM := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	gcm := must(cipher.NewGCM(must(aes.NewCipher([]byte(apiV3Key)))))

	var vectors []vector
	for event, plain := range map[string]string{
		"TRANSACTION.SUCCESS": `{"transaction_id":"1217752501201407033233368018","amount":{"payer_total":100,"total":100,"currency":"CNY","payer_currency":"CNY"},"mchid":"1900000109","trade_state":"SUCCESS","out_trade_no":"1217752501201407033233368018"}`,
		"REFUND.SUCCESS":      `{"mchid":"1900000109","out_trade_no":"1217752501201407033233368018","transaction_id":"1217752501201407033233368018","out_refund_no":"r-1","refund_id":"50000","refund_status":"SUCCESS","amount":{"total":999,"refund":900,"payer_total":999,"payer_refund":900}}`,
	} {
		for _, by := range []struct {
			serial, key string
			handler     *notify.Handler
		}{
			{"0A7BCDEF01234567", inPEM("CERTIFICATE", der), must(notify.NewRSANotifyHandler(apiV3Key, verifiers.NewSHA256WithRSAVerifier(core.NewCertificateMapWithList([]*x509.Certificate{certificate}))))},
			{publicKeyID, inPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&key.PublicKey))), must(notify.NewRSANotifyHandler(apiV3Key, verifiers.NewSHA256WithRSAPubkeyVerifier(publicKeyID, key.PublicKey)))},
		} {
			nonce := "EcZ9Cmy4Xyx1"
			body := string(must(json.Marshal(map[string]any{
				"id": "EV-2018022511223320873", "create_time": "2026-11-24T13:29:35+08:00", "resource_type": "encrypt-resource", "event_type": event, "summary": "支付成功",
				"resource": map[string]string{"original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "associated_data": "transaction", "nonce": nonce,
					"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), []byte(plain), []byte("transaction")))},
			})))
			stamp := fmt.Sprint(time.Now().Unix())
			signature := must(signer.Sign(ctx, stamp+"\n"+nonce+nonce+"\n"+body+"\n"))
			headers := map[string]string{consts.WechatPayTimestamp: stamp, consts.WechatPayNonce: nonce + nonce, consts.WechatPaySerial: by.serial,
				consts.WechatPaySignature: signature.Signature, "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048", "Content-Type": "application/json"}
			request := must(http.NewRequest(http.MethodPost, "https://merchant.example/", bytes.NewBufferString(body)))
			for name, value := range headers {
				request.Header.Set(name, value)
			}
			content := notify.ContentMap{}
			parsed := must(by.handler.ParseNotifyRequest(ctx, request, &content))
			if parsed.Resource.Plaintext != plain {
				panic("the SDK read something else")
			}
			vectors = append(vectors, vector{"wechatpay-go " + consts.Version, by.key, apiV3Key, headers, body, plain})
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(vectors); err != nil {
		panic(err)
	}
}
