// Package alipay has the names of smartwalle/alipay's that what is printed uses, done with Go's own library.
package alipay

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
)

// Client signs what it sends, and verifies what it is answered.
type Client struct {
	appID, gateway string
	private        *rsa.PrivateKey
	public         *rsa.PublicKey
}

// OptionFunc changes a client that is made.
type OptionFunc func(*Client)

// WithProductionGateway is where to call.
func WithProductionGateway(gateway string) OptionFunc {
	return func(client *Client) { client.gateway = gateway }
}

// New makes a client: `key` is base64 without its lines.
func New(appID, key string, isProduction bool, options ...OptionFunc) (*Client, error) {
	if !isProduction {
		return nil, errors.New("the gateway that is named is the production's")
	}
	der, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, err
	}
	client := &Client{appID: appID, gateway: "https://openapi.alipay.com/gateway.do", private: private}
	for _, option := range options {
		option(client)
	}
	return client, nil
}

// LoadAliPayPublicKey is whose signature is believed.
func (client *Client) LoadAliPayPublicKey(key string) error {
	der, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return err
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err == nil {
		client.public = public.(*rsa.PublicKey)
	}
	return err
}

// Call asks a method; what is answered is the gateway's own, and a yes.
func (client *Client) Call(method string, content map[string]string) (map[string]any, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	values := map[string]string{
		"app_id": client.appID, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
		"timestamp": time.Now().Format("2006-01-02 15:04:05"), "version": "1.0", "biz_content": string(text),
	}
	form, parts := url.Values{}, []string{}
	for name, value := range values {
		parts = append(parts, name+"="+value)
		form.Set(name, value)
	}
	sort.Strings(parts)
	digest := sha256.Sum256([]byte(strings.Join(parts, "&")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, client.private, crypto.SHA256, digest[:])
	if err != nil {
		return nil, err
	}
	form.Set("sign", base64.StdEncoding.EncodeToString(signature))
	response, err := http.PostForm(client.gateway, form)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	head := `{"` + strings.ReplaceAll(method, ".", "_") + `_response":`
	end := bytes.LastIndex(answer, []byte(`,"sign":"`))
	if response.StatusCode != http.StatusOK || !bytes.HasPrefix(answer, []byte(head)) || end < 0 {
		return nil, fmt.Errorf("%d %s", response.StatusCode, answer)
	}
	var signed struct{ Sign []byte }
	if err := json.Unmarshal(answer, &signed); err != nil {
		return nil, err
	}
	value := answer[len(head):end]
	digest = sha256.Sum256(value)
	if err := rsa.VerifyPKCS1v15(client.public, crypto.SHA256, digest[:], signed.Sign); err != nil {
		return nil, err
	}
	told := map[string]any{}
	if err := json.Unmarshal(value, &told); err != nil {
		return nil, err
	}
	if told["code"] != "10000" {
		return nil, fmt.Errorf("%s", value)
	}
	return told, nil
}
