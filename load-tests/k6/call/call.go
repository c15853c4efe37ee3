package call

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"veilcast/load-tests/k6/channel"
)

// The version of the requests that this speaks (packages/protocol, requests).
const protocolVersion = 4

// Options say who comes, and into which Room.
type Options struct {
	Site *Site
	Room string
	// Role: host, speaker or viewer.
	Role string
	// Region to be placed in, under the development policy; empty: wherever.
	Region string
	// Keys: the Peer takes its turns in the group with placeholders; without them it is sent away after three turns.
	Keys   bool
	Device *Device
	// OnEvent hears every event. It is called by one goroutine at a time and must not wait for an answer.
	OnEvent func(Event)
	// OnBack hears of each socket that broke and was resumed, and how long it was away.
	OnBack func(time.Duration)
	// OnEnd hears once that the call is over, and why; not after Leave.
	OnEnd func(error)
}

// Call is one Peer in one Room.
type Call struct {
	Admission Admission
	// Handshake and Join are how long each took.
	Handshake, Join time.Duration

	options Options
	keys    *placeholder
	end     sync.Once
	// Closed when it is over.
	over chan struct{}

	mutex sync.Mutex
	wire  *Wire
	broke time.Time
	sites []*Site
}

// Join opens a channel and enters the Room.
func Join(ctx context.Context, o Options) (*Call, error) {
	token, err := o.Site.Token(ctx, o.Room, o.Role)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	if o.Device == nil {
		if o.Device, err = NewDevice(); err != nil {
			return nil, err
		}
	}
	c := &Call{options: o, over: make(chan struct{}), sites: []*Site{o.Site}}
	if o.Keys {
		c.keys = newPlaceholder(o.Room)
	}
	began := time.Now()
	if c.wire, err = Open(ctx, o.Site, o.Device, nil, c.heard, c.lost); err != nil {
		return nil, err
	}
	c.Handshake = time.Since(began)
	began = time.Now()
	if err := c.enter(ctx, o, o.Device, token); err != nil {
		c.live().Close()
		return nil, err
	}
	c.Join = time.Since(began)
	return c, nil
}

func (c *Call) enter(ctx context.Context, o Options, device *Device, token string) error {
	// The leaf key of a group that this Peer has no part in.
	var leaf [32]byte
	rand.Read(leaf[:])
	proof, err := device.prove(token, leaf, time.Now())
	if err != nil {
		return err
	}
	result, _, err := c.live().Request(ctx, "join", func(parts *channel.Parts) any {
		body := map[string]any{
			"version": protocolVersion,
			"token":   token,
			"leafKey": base64.RawURLEncoding.EncodeToString(leaf[:]),
			"device":  parts.Add(proof),
			"probes":  []any{},
		}
		if o.Region != "" {
			body["region"] = o.Region
		}
		return body
	})
	if err != nil {
		return err
	}
	var joined struct {
		Status    string
		Admission Admission
	}
	if err := json.Unmarshal(result, &joined); err != nil {
		return fmt.Errorf("MALFORMED: %w", err)
	}
	if joined.Status != "admitted" {
		return errors.New("NOT_JOINED: the Room is locked")
	}
	c.mutex.Lock()
	c.Admission = joined.Admission
	c.mutex.Unlock()
	if c.keys != nil {
		c.keys.enter(c, joined.Admission)
	}
	return nil
}

func (c *Call) heard(event Event) {
	if event.Name == "ended" {
		var body struct{ Error Refusal }
		if json.Unmarshal(event.Body, &body) == nil && slices.Contains(resumable, body.Error.Code) {
			c.Cut()
		} else {
			c.finish(&body.Error)
		}
	}
	if c.keys != nil {
		c.keys.heard(event)
	}
	if c.options.OnEvent != nil {
		c.options.OnEvent(event)
	}
}

func (c *Call) live() *Wire {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.wire
}

// BrokeAt is when its socket broke last; zero where none has.
func (c *Call) BrokeAt() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.broke
}

// Sites are the processes that it knows, the one that it came to first.
func (c *Call) Sites() []*Site {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.sites
}

// finish tells once that it is over; nobody is told without a reason.
func (c *Call) finish(reason error) {
	c.end.Do(func() {
		close(c.over)
		if reason != nil && c.options.OnEnd != nil {
			c.options.OnEnd(reason)
		}
	})
}

// Request asks signaling; `into` may be nil.
func (c *Call) Request(ctx context.Context, name string, body, into any) error {
	result, _, err := c.live().Request(ctx, name, func(*channel.Parts) any { return body })
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(result, into); err != nil {
		return fmt.Errorf("MALFORMED: %w", err)
	}
	return nil
}

// Keyed: it has a place in the group.
func (c *Call) Keyed() bool { return c.keys != nil && c.keys.known() >= 0 }

// Say hands a sealed message to everybody in the Room who has a place in the group. `sealed` is made as it is sent.
func (c *Call) Say(ctx context.Context, sealed func() []byte) error {
	if !c.Keyed() {
		return errors.New("NOT_JOINED: no place in the group yet")
	}
	for tries := 0; ; tries++ {
		_, _, err := c.live().Request(ctx, "groupMessage", func(parts *channel.Parts) any {
			return map[string]any{"epoch": c.keys.known(), "sealed": parts.Add(sealed())}
		})
		// Two Commits passed it by.
		if err == nil || CodeOf(err) != "EPOCH_CONFLICT" || tries == 3 {
			return err
		}
	}
}

// Epoch of the group as this Peer knows it; -1 before it has a place.
func (c *Call) Epoch() int {
	if c.keys == nil {
		return -1
	}
	return c.keys.known()
}

// Leave says goodbye and closes.
func (c *Call) Leave(ctx context.Context) {
	c.finish(nil)
	_ = c.Request(ctx, "leave", struct{}{}, nil)
	c.live().Close()
}

// Cut breaks the socket, as a dead network does. The call goes on over the next one.
func (c *Call) Cut() { c.live().Cut() }
