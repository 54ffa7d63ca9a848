// A client of an echo server, as Go has it: net.Dial, a goroutine for each direction, CloseWrite, deadlines.

package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"os"
	"sync"
	"time"
)

const (
	connections = 50
	size        = 1000000
)

func echo(seed int64, address string) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	// Nobody has sent anything: the deadline passes, and the connection is as good as before.
	connection.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err = connection.Read(make([]byte, 1)); !os.IsTimeout(err) {
		return fmt.Errorf("a read gave %v, not a timeout", err)
	}
	connection.SetReadDeadline(time.Time{})
	sent := make([]byte, size)
	rand.New(rand.NewSource(seed)).Read(sent)
	failed := make(chan error, 1)
	go func() {
		_, err := connection.Write(sent)
		if err == nil {
			err = connection.(*net.TCPConn).CloseWrite()
		}
		failed <- err
	}()
	back, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	if err = <-failed; err != nil {
		return err
	}
	if !bytes.Equal(sent, back) {
		return fmt.Errorf("%d bytes came back, and they differ", len(back))
	}
	return nil
}

func main() {
	var all sync.WaitGroup
	for i := 0; i < connections; i++ {
		all.Add(1)
		go func(seed int64) {
			defer all.Done()
			if err := echo(seed, os.Args[1]); err != nil {
				log.Fatal(err)
			}
		}(int64(i))
	}
	all.Wait()
	fmt.Printf("%d echoes, %d MB\n", connections, connections*size/1000000)
}
