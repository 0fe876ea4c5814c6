"""WeChat Pay: the third version of its protocol, and below `v2` the second."""
