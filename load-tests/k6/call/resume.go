package call

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"veilcast/load-tests/k6/channel"
)

const (
	// As the SDK does: longer, and it would have joined anew.
	resumeMax   = 20 * time.Second
	resumePause = 250 * time.Millisecond
)

// After these a Peer is still in its Room.
var resumable = []string{"DISCONNECTED", "CHANNEL_CLOSED", "DEADLINE"}

// Another try may find a process that can. INTERNAL: an error of the socket itself.
var worthAnotherTry = append([]string{
	"OVERLOADED", "RATE_LIMITED", "NOT_OWNER", "NODE_UNREACHABLE", "STORE_UNAVAILABLE", "HANDSHAKE_FAILED", "INTERNAL",
}, resumable...)

// lost is told that the socket broke: the Peer goes on over another one, and its media meanwhile.
func (c *Call) lost(reason error) {
	began := time.Now()
	c.mutex.Lock()
	joined := c.Admission.PeerID != ""
	c.broke = began
	c.mutex.Unlock()
	if !joined || c.isOver() {
		c.finish(reason)
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), resumeMax)
		defer cancel()
		if err := c.resume(ctx); err != nil {
			c.finish(err)
		} else if c.options.OnBack != nil {
			c.options.OnBack(time.Since(began))
		}
	}()
}

// resume asks the process that it had, and then the others, until one takes the Peer. Requests that were under way have failed.
func (c *Call) resume(ctx context.Context) error {
	old := c.live()
	psk, others, lastID, lastSeq := old.left()
	sites := []*Site{c.options.Site}
	for _, origin := range others {
		sites = append(sites, c.options.Site.At(origin))
	}
	c.mutex.Lock()
	c.sites = sites
	c.mutex.Unlock()
	for known := &psk; ; {
		var refused error
		for _, site := range sites {
			if refused = c.resumeAt(ctx, site, known, lastID, lastSeq); refused == nil {
				return nil
			}
			// It is good for one connection.
			known = nil
			if !slices.Contains(worthAnotherTry, CodeOf(refused)) {
				return refused
			}
		}
		select {
		case <-c.over:
			return nil
		case <-ctx.Done():
			return refused
		case <-time.After(resumePause):
		}
	}
}

func (c *Call) resumeAt(ctx context.Context, site *Site, psk *channel.Psk, lastID, lastSeq int) error {
	var resumed atomic.Bool
	onLost := func(reason error) {
		// Before that, whoever waits for the answer tries again.
		if resumed.Load() {
			c.lost(reason)
		}
	}
	// What was missed comes before the answer, and is counted from where the last socket ended.
	wire, err := openAfter(ctx, site, c.options.Device, psk, c.heard, onLost, lastID, lastSeq)
	if err != nil {
		return err
	}
	c.mutex.Lock()
	c.wire = wire
	room, peer := c.Admission.RoomID, c.Admission.PeerID
	c.mutex.Unlock()
	_, _, err = wire.Request(ctx, "resume", func(*channel.Parts) any {
		return map[string]any{"version": protocolVersion, "roomId": room, "peerId": peer, "seq": lastSeq}
	})
	resumed.Store(err == nil)
	if err == nil {
		err = wire.broken()
	}
	if err != nil || c.isOver() {
		wire.Close()
	}
	return err
}

func (c *Call) isOver() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}
