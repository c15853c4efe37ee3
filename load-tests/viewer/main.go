// The far ends of the forwarding bench: WebRTC viewers (ICE, DTLS, SRTP, transport-wide feedback) that count what arrives,
// and a source of VP8-looking RTP. A process of its own, so that its processor time is never counted as the SFU's.
// Asked in JSON lines on stdin, answers in JSON lines on stdout, ends when stdin does.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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
	// The same for viewers without pion's peer connection.
	own       tls.Certificate
	groups    sync.Map // name of a group → *group
	taps      sync.Map // name of a tap → *arrivals
	audiences sync.Map // name of a group → *audience
	standings sync.Map // SSRC → *standing
	journal   atomic.Pointer[journal]
	dialing   sync.Mutex
	sockets   map[int]*net.UDPConn
	writing   sync.Mutex
	out       *json.Encoder
}

func main() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	x509Certificate, err := certify(key)
	if err != nil {
		panic(err)
	}
	certificate := webrtc.CertificateFromX509(key, x509Certificate)
	d := &desk{
		certificate: &certificate,
		own:         tls.Certificate{Certificate: [][]byte{x509Certificate.Raw}, PrivateKey: key},
		out:         json.NewEncoder(os.Stdout),
		sockets:     map[int]*net.UDPConn{},
	}
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
	case "answer":
		var args answerArgs
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.answer(args)
	case "slowness":
		var args struct{ Group string }
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.group(args.Group).slowness(), nil
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
	case "light":
		var args lightArgs
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return true, d.light(args)
	case "burst":
		var args burstArgs
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.burst(args)
	case "seen":
		var args struct{ Group string }
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.audience(args.Group).report(), nil
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

// certify makes a certificate of a key, for both kinds of viewers.
func certify(key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "bench"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(7 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
