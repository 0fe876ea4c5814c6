// Package core has the names of wechatpay-go's that what is printed uses, done with Go's own library.
package core

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Settings are what options say.
type Settings struct {
	Mchid, Serial, PublicKeyID string
	Private                    *rsa.PrivateKey
	Public                     *rsa.PublicKey
}

// ClientOption is one of them.
type ClientOption interface{ Apply(*Settings) }

// Client signs what it sends, and verifies what it is answered.
type Client struct{ settings Settings }

// NewClient makes one.
func NewClient(_ context.Context, options ...ClientOption) (*Client, error) {
	client := &Client{}
	for _, option := range options {
		option.Apply(&client.settings)
	}
	if client.settings.Private == nil || client.settings.Public == nil {
		return nil, errors.New("a key is missing")
	}
	return client, nil
}

// Call sends a request; what is answered is the platform's own, and a yes.
func (client *Client) Call(ctx context.Context, method, host, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, host+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	drawn := make([]byte, 16)
	if _, err := rand.Read(drawn); err != nil {
		return nil, err
	}
	at, nonce := fmt.Sprint(time.Now().Unix()), hex.EncodeToString(drawn)
	digest := sha256.Sum256([]byte(fmt.Sprintf("%s\n%s\n%s\n%s\n%s\n", method, path, at, nonce, body)))
	signature, err := rsa.SignPKCS1v15(rand.Reader, client.settings.Private, crypto.SHA256, digest[:])
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", fmt.Sprintf(
		`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",timestamp="%s",serial_no="%s",signature="%s"`,
		client.settings.Mchid, nonce, at, client.settings.Serial, base64.StdEncoding.EncodeToString(signature)))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Wechatpay-Serial", client.settings.PublicKeyID)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%d %s", response.StatusCode, answer)
	}
	told := response.Header
	if told.Get("Wechatpay-Serial") != client.settings.PublicKeyID {
		return nil, errors.New("signed with a key that is not configured")
	}
	signed := fmt.Sprintf("%s\n%s\n%s\n", told.Get("Wechatpay-Timestamp"), told.Get("Wechatpay-Nonce"), answer)
	raw, err := base64.StdEncoding.DecodeString(told.Get("Wechatpay-Signature"))
	if err != nil {
		return nil, err
	}
	digest = sha256.Sum256([]byte(signed))
	return answer, rsa.VerifyPKCS1v15(client.settings.Public, crypto.SHA256, digest[:], raw)
}
