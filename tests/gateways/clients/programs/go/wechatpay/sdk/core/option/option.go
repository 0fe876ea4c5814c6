// Package option has the name of wechatpay-go's that what is printed uses.
package option

import (
	"crypto/rsa"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
)

type withPublicKey core.Settings

func (option withPublicKey) Apply(settings *core.Settings) { *settings = core.Settings(option) }

// WithWechatPayPublicKeyAuthCipher is who signs, and whose signature is believed.
func WithWechatPayPublicKeyAuthCipher(
	mchid, serial string, private *rsa.PrivateKey, publicKeyID string, public *rsa.PublicKey,
) core.ClientOption {
	return withPublicKey{Mchid: mchid, Serial: serial, Private: private, PublicKeyID: publicKeyID, Public: public}
}
