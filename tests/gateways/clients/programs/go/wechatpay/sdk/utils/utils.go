// Package utils has the names of wechatpay-go's that what is printed uses, done with Go's own library.
package utils

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
)

func block(path, kind string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found, _ := pem.Decode(text)
	if found == nil || found.Type != kind {
		return nil, errors.New(path + " has no " + kind)
	}
	return found.Bytes, nil
}

// LoadPrivateKeyWithPath reads a merchant's key.
func LoadPrivateKeyWithPath(path string) (*rsa.PrivateKey, error) {
	der, err := block(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	return key.(*rsa.PrivateKey), nil
}

// LoadPublicKeyWithPath reads the platform's key.
func LoadPublicKeyWithPath(path string) (*rsa.PublicKey, error) {
	der, err := block(path, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	return key.(*rsa.PublicKey), nil
}
