// Pushes 20,000 rows into `orders` at an address, and prints a line at every quarter.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"tidemark.local/tidemark"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
	defer cancel()
	client, err := tidemark.Dial(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	push, err := client.Push(ctx, "orders", "go")
	if err != nil {
		log.Fatal(err)
	}
	for id := 0; id < 20_000; id++ {
		if err := push.Upsert("orders", tidemark.Row{"id": id, "total": 0.5}); err != nil {
			log.Fatal(err)
		}
		if id%5_000 == 4_999 {
			fmt.Println(id)
		}
	}
	if err := push.Close(); err != nil {
		log.Fatal(err)
	}
}
