// Command shop runs what is printed for Go, word for word: an order is placed, paid by somebody and looked at.
//
// Its packages have the names that wechatpay-go has; what they do is done with Go's own library.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

const host = "https://api.mch.weixin.qq.com"

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	ctx := context.Background()
	client, err := configured(ctx)
	must(err)
	mchid, appid, number := os.Args[1], os.Args[2], fmt.Sprintf("GO%d", time.Now().Unix())
	body, err := json.Marshal(map[string]any{
		"appid": appid, "mchid": mchid, "description": "面", "out_trade_no": number,
		"notify_url": "http://127.0.0.1:9/told", "amount": map[string]int{"total": 1280},
	})
	must(err)
	var placed struct {
		CodeURL string `json:"code_url"`
	}
	answer, err := client.Call(ctx, "POST", host, "/v3/pay/transactions/native", body)
	must(err)
	must(json.Unmarshal(answer, &placed))
	asked, err := json.Marshal(map[string]string{"do": "pay", "code": placed.CodeURL})
	must(err)
	fmt.Println(string(asked))
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	must(err)
	var found struct {
		State string `json:"trade_state"`
	}
	answer, err = client.Call(ctx, "GET", host, "/v3/pay/transactions/out-trade-no/"+number+"?mchid="+mchid, nil)
	must(err)
	must(json.Unmarshal(answer, &found))
	fmt.Printf("{\"done\": true, \"state\": %q}\n", found.State)
}
