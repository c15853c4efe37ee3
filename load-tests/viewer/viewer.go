package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

// How long ICE and DTLS may take on a machine that is busy with the other viewers.
const patience = 20 * time.Second

// Viewers whose packets are counted together.
type group struct {
	packets atomic.Int64
	bytes   atomic.Int64
	viewers atomic.Int64
	mutex   sync.Mutex
	delays  []float64
}

// note takes how long a packet was under way, from the stamp that the source wrote into it to this reader.
func (g *group) note(packet []byte, at time.Time) {
	if sent, isStamped := sentAt(packet); isStamped {
		g.mutex.Lock()
		g.delays = append(g.delays, float64(at.UnixNano()-sent)/1e6)
		g.mutex.Unlock()
	}
}

// slowness is p50, p95, p99, p99.9 and the most of the delays since the last time, ms.
func (g *group) slowness() []float64 {
	g.mutex.Lock()
	delays := g.delays
	g.delays = nil
	g.mutex.Unlock()
	return quantiles(delays, 0.5, 0.95, 0.99, 0.999, 1)
}

func (d *desk) group(name string) *group {
	found, _ := d.groups.LoadOrStore(name, &group{})
	return found.(*group)
}

func (g *group) count() map[string]int64 {
	return map[string]int64{"packets": g.packets.Load(), "bytes": g.bytes.Load(), "viewers": g.viewers.Load()}
}

// An offer of another SFU, over an interface of this machine.
type answerArgs struct{ Group, SDP, Interface string }

// Answers an offer; the connection comes up when the other side has the answer.
func (d *desk) answer(args answerArgs) (string, error) {
	peer, connected, err := d.receive(args.Group, args.SDP, args.Interface)
	if err != nil {
		return "", err
	}
	go func() {
		if <-connected == nil {
			d.group(args.Group).viewers.Add(1)
		}
	}()
	select {
	case <-webrtc.GatheringCompletePromise(peer):
	case <-time.After(patience):
		return "", fmt.Errorf("no candidate within %s", patience)
	}
	return peer.LocalDescription().SDP, nil
}

// Connects one viewer; returns when it can receive. It stays until the process ends.
func (d *desk) watch(args watchArgs) error {
	_, connected, err := d.receive(args.Group, args.offer(), "lo")
	if err != nil {
		return err
	}
	select {
	case err := <-connected:
		d.group(args.Group).viewers.Add(1)
		return err
	case <-time.After(patience):
		return fmt.Errorf("not connected within %s", patience)
	}
}

// receive answers an offer and counts what comes.
func (d *desk) receive(name, offer, network string) (*webrtc.PeerConnection, <-chan error, error) {
	api, err := newAPI(network)
	if err != nil {
		return nil, nil, err
	}
	peer, err := api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{*d.certificate}})
	if err != nil {
		return nil, nil, err
	}
	g := d.group(name)
	// What mediasoup probes the bandwidth with is no track, so it is not counted.
	peer.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		go drainReports(receiver)
		g.read(track)
	})
	connected := make(chan error, 2)
	peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			connected <- nil
		case webrtc.PeerConnectionStateFailed:
			connected <- errors.New("the connection failed")
		}
	})
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return nil, nil, err
	}
	answer, err := peer.CreateAnswer(nil)
	if err != nil {
		return nil, nil, err
	}
	return peer, connected, peer.SetLocalDescription(answer)
}

func (g *group) read(track *webrtc.TrackRemote) {
	for buffer := make([]byte, 1500); ; {
		n, _, err := track.Read(buffer)
		if err != nil {
			return
		}
		g.packets.Add(1)
		g.bytes.Add(int64(n))
		g.note(buffer[:n], time.Now())
	}
}

// Interceptors see sender reports only where they are read.
func drainReports(receiver *webrtc.RTPReceiver) {
	for buffer := make([]byte, 1500); ; {
		if _, _, err := receiver.Read(buffer); err != nil {
			return
		}
	}
}

// VP8 with the feedback that a browser gives: receiver reports, NACK, transport-wide congestion control.
func newAPI(network string) (*webrtc.API, error) {
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(engine, registry); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}}
	// As a browser does: mediasoup is told so beforehand.
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleClient); err != nil {
		return nil, err
	}
	// One suite, whoever is at the other end: it is a good part of what a packet costs.
	settings.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == network })
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(engine),
		webrtc.WithInterceptorRegistry(registry),
		webrtc.WithSettingEngine(settings),
	), nil
}
