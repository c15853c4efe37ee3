package crowd

import (
	"context"
	"fmt"
	"sync"
	"time"

	"veilcast/load-tests/k6/call"
	"veilcast/load-tests/k6/media"
)

const (
	// How long goodbyes may take: an interrupted run must end at once.
	goodbyeMax = 3 * time.Second
	// How long those who were cut off are waited for.
	backMax   = 30 * time.Second
	lookEvery = 20 * time.Millisecond
	// Joins under way at a time, whatever the rate: a person at the door waits, a generator must not drown.
	abreastMax = 64
)

// Crowd is everybody who has come.
type Crowd struct {
	Meter *Meter

	sites *sites
	mutex sync.Mutex
	peers []*peer
	// Of those who have left.
	past media.Counts
	sent media.Sent
}

// New is nobody yet.
func New(target Target) (*Crowd, error) {
	sites, err := newSites(target)
	if err != nil {
		return nil, err
	}
	return &Crowd{Meter: NewMeter(), sites: sites}, nil
}

// Group is so many of the same kind.
type Group struct {
	Person
	Count int `json:"count"`
	// Rooms: how many they are spread over, named room-0, room-1 …; 0: the one Room.
	Rooms int `json:"rooms"`
	// PerSecond joins begin; 0: all at once.
	PerSecond float64 `json:"perSecond"`
}

func (g Group) roomOf(index int) string {
	if g.Rooms == 0 {
		return g.Room
	}
	return fmt.Sprintf("%s-%d", g.Room, index%g.Rooms)
}

// Join brings a group in and says how many got in.
func (c *Crowd) Join(ctx context.Context, group Group) int {
	came := make(chan bool, group.Count)
	abreast := make(chan struct{}, abreastMax)
	began := time.Now()
	for index := range group.Count {
		if group.PerSecond > 0 {
			sleepUntil(ctx, began.Add(time.Duration(float64(index)/group.PerSecond*float64(time.Second))))
		}
		person := group.Person
		person.Room = group.roomOf(index)
		abreast <- struct{}{}
		go func() {
			came <- ctx.Err() == nil && c.add(ctx, person)
			<-abreast
		}()
	}
	joined := 0
	for range group.Count {
		if <-came {
			joined++
		}
	}
	return joined
}

func (c *Crowd) add(ctx context.Context, person Person) bool {
	device, err := call.NewDevice()
	if err != nil {
		c.Meter.refused(call.CodeOf(err))
		return false
	}
	p := &peer{person: person, site: c.sites.one(), device: device, meter: c.Meter}
	if err := p.join(ctx); err != nil {
		c.Meter.refused(call.CodeOf(err))
		return false
	}
	c.Meter.Joins.Add(1)
	c.mutex.Lock()
	c.peers = append(c.peers, p)
	c.mutex.Unlock()
	return true
}

func sleepUntil(ctx context.Context, at time.Time) {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Leave lets so many go, those who came first of those who publish nothing.
func (c *Crowd) Leave(count int) {
	c.mutex.Lock()
	var leaving, staying []*peer
	for _, p := range c.peers {
		if len(leaving) < count && len(p.person.Publish) == 0 {
			leaving = append(leaving, p)
		} else {
			staying = append(staying, p)
		}
	}
	c.peers = staying
	c.mutex.Unlock()
	c.farewell(leaving)
}

// Close lets everybody go.
func (c *Crowd) Close() {
	c.mutex.Lock()
	all := c.peers
	c.peers = nil
	c.mutex.Unlock()
	c.farewell(all)
}

func (c *Crowd) farewell(leaving []*peer) {
	c.Meter.Left.Add(int64(len(leaving)))
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeMax)
	defer cancel()
	c.each(leaving, func(p *peer) {
		came, sent, first := p.counts()
		p.leave(ctx)
		c.keep(came, sent, first)
	})
}

// Reconnect cuts everybody's socket at once; each resumes its call over the next one. It says how many were back in time.
func (c *Crowd) Reconnect(ctx context.Context) int {
	peers := c.list()
	for _, p := range peers {
		p.cut()
	}
	ctx, cancel := context.WithTimeout(ctx, backMax)
	defer cancel()
	back := 0
	for _, p := range peers {
		for p.isAway() && ctx.Err() == nil {
			sleepUntil(ctx, time.Now().Add(lookEvery))
		}
		if !p.isGone() && !p.isAway() {
			back++
		}
	}
	return back
}

// Say lets one of each Room tell all the others something, and says how many could.
func (c *Crowd) Say(ctx context.Context) int {
	speakers, listeners := c.speakers()
	var mutex sync.Mutex
	said := 0
	all := make([]*peer, 0, len(speakers))
	for _, p := range speakers {
		all = append(all, p)
	}
	c.each(all, func(p *peer) {
		if err := p.say(ctx); err != nil {
			c.Meter.ended("say " + call.CodeOf(err))
			return
		}
		c.Meter.Said.Add(1)
		c.Meter.Due.Add(int64(listeners[p.person.Room]))
		mutex.Lock()
		defer mutex.Unlock()
		said++
	})
	return said
}

// speakers are one with a place in the group for each Room, and how many others there hear it.
func (c *Crowd) speakers() (speakers map[string]*peer, listeners map[string]int) {
	speakers, listeners = map[string]*peer{}, map[string]int{}
	for _, p := range c.list() {
		if !p.keyed() {
			continue
		}
		if speakers[p.person.Room] != nil {
			listeners[p.person.Room]++
		}
		speakers[p.person.Room] = p
	}
	return speakers, listeners
}

// Keyed is how many have a place in their group.
func (c *Crowd) Keyed() int {
	keyed := 0
	for _, p := range c.list() {
		if p.keyed() {
			keyed++
		}
	}
	return keyed
}

func (c *Crowd) list() []*peer {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]*peer(nil), c.peers...)
}

// each does something with all of these, many at a time.
func (c *Crowd) each(peers []*peer, do func(*peer)) {
	var group sync.WaitGroup
	abreast := make(chan struct{}, abreastMax)
	for _, p := range peers {
		abreast <- struct{}{}
		group.Go(func() {
			do(p)
			<-abreast
		})
	}
	group.Wait()
}

func (c *Crowd) keep(came media.Counts, sent media.Sent, first time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.past.Sum(came)
	c.sent.Sum(sent)
	if first > 0 {
		c.Meter.FirstPacket.Add(first)
	}
}
