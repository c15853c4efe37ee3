package crowd

import (
	"context"
	"time"
)

const rekeyMax = 10 * time.Second

// Rekey lets the first of each Room who publishes nothing leave, and waits until all who stay there have the Epoch without it. It says in how
// many of how many Rooms they had it in time.
func (c *Crowd) Rekey(ctx context.Context) (done, rooms int) {
	ctx, cancel := context.WithTimeout(ctx, rekeyMax)
	defer cancel()
	leaving, staying := c.firsts()
	before := map[*peer]int{}
	for _, all := range staying {
		for _, p := range all {
			before[p] = p.epoch()
		}
	}
	began := time.Now()
	c.without(leaving)
	go c.farewell(leaving)
	for _, p := range leaving {
		if c.rekeyed(ctx, staying[p.person.Room], before, began) {
			done++
		}
	}
	return done, len(leaving)
}

// rekeyed adds the time of each who stays, as it is seen: to some milliseconds.
func (c *Crowd) rekeyed(ctx context.Context, staying []*peer, before map[*peer]int, began time.Time) bool {
	waiting := append([]*peer(nil), staying...)
	for len(waiting) > 0 && ctx.Err() == nil {
		still := waiting[:0]
		for _, p := range waiting {
			if epoch := p.epoch(); epoch > before[p] {
				c.Meter.Rekey.Add(time.Since(began))
			} else if epoch >= 0 {
				still = append(still, p)
			}
		}
		if waiting = still; len(waiting) > 0 {
			sleepUntil(ctx, time.Now().Add(time.Millisecond))
		}
	}
	return len(waiting) == 0
}

// firsts are one of each Room, and the others there who have a place in the group.
func (c *Crowd) firsts() (leaving []*peer, staying map[string][]*peer) {
	staying = map[string][]*peer{}
	chosen := map[string]bool{}
	for _, p := range c.list() {
		room := p.person.Room
		if !p.keyed() {
			continue
		}
		if len(p.person.Publish) == 0 && !chosen[room] {
			chosen[room] = true
			leaving = append(leaving, p)
		} else {
			staying[room] = append(staying[room], p)
		}
	}
	return leaving, staying
}

func (c *Crowd) without(leaving []*peer) {
	gone := map[*peer]bool{}
	for _, p := range leaving {
		gone[p] = true
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	staying := c.peers[:0:0]
	for _, p := range c.peers {
		if !gone[p] {
			staying = append(staying, p)
		}
	}
	c.peers = staying
}
