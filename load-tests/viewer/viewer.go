package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

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
}

func (d *desk) group(name string) *group {
	found, _ := d.groups.LoadOrStore(name, &group{})
	return found.(*group)
}

func (g *group) count() map[string]int64 {
	return map[string]int64{"packets": g.packets.Load(), "bytes": g.bytes.Load(), "viewers": g.viewers.Load()}
}

// Connects one viewer; returns when it can receive. It stays until the process ends.
func (d *desk) watch(args watchArgs) error {
	api, err := newAPI()
	if err != nil {
		return err
	}
	peer, err := api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{*d.certificate}})
	if err != nil {
		return err
	}
	g := d.group(args.Group)
	// What mediasoup probes the bandwidth with is no track, so it is not counted.
	peer.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		go drainReports(receiver)
		g.read(track)
	})
	connected := make(chan error, 1)
	peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			connected <- nil
		case webrtc.PeerConnectionStateFailed:
			connected <- errors.New("the connection failed")
		}
	})
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: args.offer()}); err != nil {
		return err
	}
	answer, err := peer.CreateAnswer(nil)
	if err != nil {
		return err
	}
	if err := peer.SetLocalDescription(answer); err != nil {
		return err
	}
	select {
	case err := <-connected:
		g.viewers.Add(1)
		return err
	case <-time.After(patience):
		return fmt.Errorf("not connected within %s", patience)
	}
}

func (g *group) read(track *webrtc.TrackRemote) {
	for buffer := make([]byte, 1500); ; {
		n, _, err := track.Read(buffer)
		if err != nil {
			return
		}
		g.packets.Add(1)
		g.bytes.Add(int64(n))
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
func newAPI() (*webrtc.API, error) {
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
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(engine),
		webrtc.WithInterceptorRegistry(registry),
		webrtc.WithSettingEngine(settings),
	), nil
}
