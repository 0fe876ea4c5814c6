module shop

go 1.19

require github.com/smartwalle/alipay/v3 v3.0.0

replace github.com/smartwalle/alipay/v3 => ./sdk
