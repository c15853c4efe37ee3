// The far ends of the forwarding bench: WebRTC viewers (ICE, DTLS, SRTP, transport-wide feedback) that count what arrives,
// and a source of VP8-looking RTP. A process of its own, so that its processor time is never counted as the SFU's.
// Asked in JSON lines on stdin, answers in JSON lines on stdout, ends when stdin does.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/pion/webrtc/v4"
)

type question struct {
	ID   int             `json:"id"`
	Op   string          `json:"op"`
	Args json.RawMessage `json:"args"`
}

type answer struct {
	ID     int    `json:"id"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

type desk struct {
	certificate *webrtc.Certificate
	groups      sync.Map // name of a group → *group
	taps        sync.Map // name of a tap → *arrivals
	dialing     sync.Mutex
	sockets     map[int]*net.UDPConn
	writing     sync.Mutex
	out         *json.Encoder
}

func main() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		panic(err)
	}
	d := &desk{certificate: certificate, out: json.NewEncoder(os.Stdout), sockets: map[int]*net.UDPConn{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		go d.reply(q)
	}
}

func (d *desk) reply(q question) {
	result, err := d.serve(q)
	a := answer{ID: q.ID, Result: result}
	if err != nil {
		a.Error = err.Error()
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := d.out.Encode(a); err != nil {
		os.Exit(1)
	}
}

func (d *desk) serve(q question) (any, error) {
	switch q.Op {
	case "fingerprint":
		prints, err := d.certificate.GetFingerprints()
		if err != nil {
			return nil, err
		}
		// mediasoup compares them as text, in capitals.
		prints[0].Value = strings.ToUpper(prints[0].Value)
		return prints[0], nil
	case "watch":
		var args watchArgs
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return true, d.watch(args)
	case "count":
		var args struct{ Group string }
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.group(args.Group).count(), nil
	case "send":
		var args sendArgs
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.send(args)
	case "tap":
		var args struct{ Name string }
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.tap(args.Name)
	case "delays":
		var args struct{ First, Second string }
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.delays(args.First, args.Second)
	}
	return nil, fmt.Errorf("no such question: %s", q.Op)
}
