package crowd

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"veilcast/load-tests/k6/call"
	"veilcast/load-tests/k6/channel"
	"veilcast/load-tests/k6/media"
)

// Person is what one of a crowd does in its Room.
type Person struct {
	Room string `json:"room"`
	// Role: host, speaker, viewer.
	Role   string `json:"role"`
	Region string `json:"region"`
	// Keys: takes turns in the group with placeholders (docs/adr/0032). Without them it is sent away after its third turn.
	Keys bool `json:"keys"`
	// Watch everything that is published, now and later.
	Watch bool `json:"watch"`
	// Link over which it watches.
	Link media.Link `json:"link"`
	// Publish these sources.
	Publish []Publication `json:"publish"`
}

// Publication is one Producer.
type Publication struct {
	Source string      `json:"source"`
	Shape  media.Shape `json:"shape"`
}

// messageBytes of a chat line, padded and sealed (docs/e2ee/messages.md).
const messageBytes = 512

// How long something may take that a Peer does by itself; the server's own limits are shorter.
const (
	tryMax    = 20 * time.Second
	joinAgain = 250 * time.Millisecond
)

// peer is one Person who has joined.
type peer struct {
	person Person
	site   *call.Site
	device *call.Device
	meter  *Meter

	mutex      sync.Mutex
	call       *call.Call
	viewer     *media.Viewer
	sender     *media.Sender
	publishers []*media.Publisher
	// Producers that there are, to be watched.
	producers map[string]bool
	gone      bool
	// What came by viewers that it had before.
	past media.Counts
	// Its socket was cut, and it has not come back.
	away bool
	// It has been told to leave.
	left bool
}

// join enters. Media begins before it returns.
func (p *peer) join(ctx context.Context) error {
	p.mutex.Lock()
	p.producers = map[string]bool{}
	p.mutex.Unlock()
	c, err := call.Join(ctx, call.Options{
		Site: p.site, Room: p.person.Room, Role: p.person.Role, Region: p.person.Region, Keys: p.person.Keys,
		Device: p.device, OnEvent: p.heard, OnBack: p.back, OnEnd: p.over,
	})
	if err != nil {
		return err
	}
	p.meter.Handshake.Add(c.Handshake)
	p.meter.Join.Add(c.Join)
	p.mutex.Lock()
	p.call, p.gone, p.away = c, false, false
	p.mutex.Unlock()
	if err := p.start(ctx, c); err != nil {
		p.leave(ctx)
		return err
	}
	return nil
}

func (p *peer) start(ctx context.Context, c *call.Call) error {
	if len(p.person.Publish) > 0 {
		if err := p.publish(ctx, c); err != nil {
			return err
		}
	}
	if !p.person.Watch {
		return nil
	}
	viewer, err := media.Watch(ctx, c, nil, p.site.Local, p.person.Link, &p.meter.Delays)
	if err != nil {
		return err
	}
	p.mutex.Lock()
	p.viewer = viewer
	for _, other := range c.Admission.Peers {
		for _, producer := range other.Producers {
			p.producers[producer.ProducerID] = true
		}
	}
	wanted := slices.Collect(maps.Keys(p.producers))
	p.mutex.Unlock()
	return viewer.Consume(ctx, wanted)
}

func (p *peer) publish(ctx context.Context, c *call.Call) error {
	sender, err := media.NewSender(ctx, c, p.site.Local)
	if err != nil {
		return err
	}
	p.mutex.Lock()
	p.sender = sender
	p.mutex.Unlock()
	for _, publication := range p.person.Publish {
		publisher, err := sender.Publish(ctx, publication.Source, publication.Shape)
		if err != nil {
			return err
		}
		p.mutex.Lock()
		p.publishers = append(p.publishers, publisher)
		p.mutex.Unlock()
	}
	return nil
}

// heard is told of events by the socket's reader, which must not wait.
func (p *peer) heard(event call.Event) {
	switch event.Name {
	case "producerOpened":
		var body struct{ Producer call.ProducerView }
		if p.person.Watch && json.Unmarshal(event.Body, &body) == nil {
			p.opened(body.Producer.ProducerID)
		}
	case "producerClosed":
		var body struct{ ProducerID string }
		if json.Unmarshal(event.Body, &body) == nil {
			p.mutex.Lock()
			delete(p.producers, body.ProducerID)
			p.mutex.Unlock()
		}
	case "moved":
		var body struct{ Place call.Place }
		if json.Unmarshal(event.Body, &body) == nil {
			go p.move(body.Place)
		}
	case "groupMessage":
		p.message(event)
	case "consumerLayers", "consumerClosed":
		p.mutex.Lock()
		viewer := p.viewer
		p.mutex.Unlock()
		if viewer != nil {
			viewer.Heard(event)
		}
	}
}

// opened is watched now, or with the others once there is a transport.
func (p *peer) opened(producerID string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.producers[producerID] = true
	viewer := p.viewer
	if viewer == nil {
		return
	}
	go p.try("consume", func(ctx context.Context) error { return viewer.Consume(ctx, []string{producerID}) })
}

func (p *peer) try(what string, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), tryMax)
	defer cancel()
	if err := do(ctx); err != nil {
		p.meter.ended(what + " " + call.CodeOf(err))
	}
}

// say tells the whole Room something that names when it was said.
func (p *peer) say(ctx context.Context) error {
	p.mutex.Lock()
	c := p.call
	p.mutex.Unlock()
	if c == nil {
		return errors.New("CLOSED: it has left")
	}
	return c.Say(ctx, func() []byte {
		sealed := make([]byte, messageBytes)
		binary.BigEndian.PutUint64(sealed, uint64(time.Now().UnixNano()))
		return sealed
	})
}

func (p *peer) message(event call.Event) {
	var body struct{ Sealed channel.Place }
	if json.Unmarshal(event.Body, &body) != nil {
		return
	}
	sealed, err := event.Parts.At(body.Sealed)
	if err != nil || len(sealed) < 8 {
		return
	}
	p.meter.Heard.Add(1)
	p.meter.Message.Add(event.At.Sub(time.Unix(0, int64(binary.BigEndian.Uint64(sealed)))))
}

func (p *peer) hasLeft() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.left
}

func (p *peer) isGone() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.gone
}

func (p *peer) over(err error) {
	p.mutex.Lock()
	c := p.call
	p.gone = true
	p.mutex.Unlock()
	if call.CodeOf(err) == "NOT_JOINED" && c != nil {
		go p.anew(c.BrokeAt(), c.Sites())
		return
	}
	p.meter.ended(call.CodeOf(err))
}

// leave says goodbye and ends the media.
func (p *peer) leave(ctx context.Context) {
	p.mutex.Lock()
	c, viewer, sender := p.call, p.viewer, p.sender
	p.call, p.viewer, p.sender, p.publishers, p.left = nil, nil, nil, nil, true
	p.mutex.Unlock()
	if c != nil {
		c.Leave(ctx)
	}
	if viewer != nil {
		viewer.Close()
	}
	if sender != nil {
		sender.Close()
	}
}

func (p *peer) counts() (came media.Counts, sent media.Sent, first time.Duration) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.viewer != nil {
		came, first = p.viewer.Count(), p.viewer.FirstPacket()
	}
	came.Sum(p.past)
	for _, publisher := range p.publishers {
		sent.Sum(publisher.Count())
	}
	return came, sent, first
}

func (p *peer) keyed() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.call != nil && !p.gone && p.call.Keyed()
}

// epoch of its group; -1 where it has no place.
func (p *peer) epoch() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.call == nil || p.gone {
		return -1
	}
	return p.call.Epoch()
}
