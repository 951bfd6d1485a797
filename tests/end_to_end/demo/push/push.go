package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"tidemark.local/tidemark"
)

func push(ctx context.Context, address string) error {
	client, err := tidemark.Dial(ctx, address)
	if err != nil {
		return err
	}
	defer client.Close()
	push, err := client.Push(ctx, "orders", "go")
	if err != nil {
		return err
	}
	for number := 1; number <= 100; number++ {
		row := tidemark.Row{"id": fmt.Sprintf("go-%d", number), "total": float64(number) * 1.5}
		if err := push.Upsert("orders", row); err != nil {
			return err
		}
	}
	return push.Close()
}

func main() {
	if err := push(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
	fmt.Println("go: 100 rows are durable")
}
