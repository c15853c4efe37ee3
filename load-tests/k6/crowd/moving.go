package crowd

import (
	"context"
	"fmt"
	"time"

	"veilcast/load-tests/k6/call"
	"veilcast/load-tests/k6/media"
)

// move begins the media anew in another place: the Node that had it is gone.
func (p *peer) move(place call.Place) {
	p.mutex.Lock()
	c, viewer, sender := p.call, p.viewer, p.sender
	p.viewer, p.sender, p.publishers = nil, nil, nil
	p.mutex.Unlock()
	if c == nil {
		return
	}
	last := p.let(viewer, sender)
	c.Admission.Place, c.Admission.Peers = place, nil
	p.try("move", func(ctx context.Context) error {
		if err := p.start(ctx, c); err != nil || last.IsZero() {
			return err
		}
		return p.gap(ctx, last)
	})
}

// joinAt tries one process after the other, until one lets it in or the time is over.
func (p *peer) joinAt(ctx context.Context, sites []*call.Site) (err error) {
	for ctx.Err() == nil {
		for _, p.site = range sites {
			if err = p.join(ctx); err == nil || p.hasLeft() {
				return err
			}
		}
		sleepUntil(ctx, time.Now().Add(joinAgain))
	}
	return err
}

// let goes of media, and says when the last packet came.
func (p *peer) let(viewer *media.Viewer, sender *media.Sender) (last time.Time) {
	if viewer != nil {
		last = viewer.LastPacket()
		viewer.Close()
		p.mutex.Lock()
		p.past.Sum(viewer.Count())
		p.past.Streams = 0
		p.mutex.Unlock()
	}
	if sender != nil {
		sender.Close()
	}
	return last
}

// gap is how long nothing came to one whose media began anew.
func (p *peer) gap(ctx context.Context, last time.Time) error {
	p.mutex.Lock()
	viewer := p.viewer
	p.mutex.Unlock()
	if viewer == nil {
		return nil
	}
	first, err := viewer.AwaitPacket(ctx)
	if err != nil {
		return fmt.Errorf("MEDIA_FAILED: nothing came: %w", err)
	}
	p.meter.Gap.Add(max(0, first.Sub(last)))
	return nil
}

// anew joins again as the same device: nobody knows the Peer any more, since the process that owned its Room died. The media that it
// has goes on until the next one comes.
func (p *peer) anew(broke time.Time, sites []*call.Site) {
	p.mutex.Lock()
	viewer, sender := p.viewer, p.sender
	p.viewer, p.sender, p.publishers = nil, nil, nil
	p.mutex.Unlock()
	p.try("anew", func(ctx context.Context) error {
		err := p.joinAt(ctx, sites)
		if p.hasLeft() {
			p.leave(ctx)
		} else if err == nil {
			p.meter.Reconnect.Add(time.Since(broke))
		}
		if err == nil && viewer != nil {
			// Waits for the first packet of the next one.
			p.mutex.Lock()
			next := p.viewer
			p.mutex.Unlock()
			if next != nil {
				_, err = next.AwaitPacket(ctx)
			}
		}
		last := p.let(viewer, sender)
		if err == nil && !last.IsZero() {
			err = p.gap(ctx, last)
		}
		return err
	})
}

// cut breaks its socket; it comes back by itself.
func (p *peer) cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.call != nil && !p.gone {
		p.away = true
		p.call.Cut()
	}
}

func (p *peer) back(after time.Duration) {
	p.meter.Reconnect.Add(after)
	p.mutex.Lock()
	p.away = false
	p.mutex.Unlock()
}

func (p *peer) isAway() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.away && !p.gone
}
