// Command shop runs what is printed for Go, word for word: an order is placed, paid by somebody and looked at.
//
// Its package has the name that smartwalle/alipay has; what it does is done with Go's own library.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	client, err := configured()
	must(err)
	number := fmt.Sprintf("GO%d", time.Now().Unix())
	placed, err := client.Call("alipay.trade.precreate", map[string]string{
		"out_trade_no": number, "total_amount": "12.80", "subject": "面",
	})
	must(err)
	asked, err := json.Marshal(map[string]any{"do": "pay", "code": placed["qr_code"]})
	must(err)
	fmt.Println(string(asked))
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	must(err)
	found, err := client.Call("alipay.trade.query", map[string]string{"out_trade_no": number})
	must(err)
	fmt.Printf("{\"done\": true, \"state\": %q}\n", found["trade_status"])
}
