"""WeChat Pay's protocols, both generations, to the byte: `v3` is REST with RSA signatures, `v2` is XML with shared keys."""
