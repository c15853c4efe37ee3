package media

import "time"

// Pictures that wait for a repair before they are whole.
const waitingMax = 64

// pictures counts frames as a decoder would show them: whole, in order, none between a loss and the next key frame. A freeze is an
// interval of more than three times the mean, and of 150 ms more than it (W3C webrtc-stats, freezeCount).
type pictures struct {
	Shown, KeyFrames, Freezes int64
	Frozen                    time.Duration

	waiting []picture
	broken  bool
	last    time.Time
	mean    time.Duration
}

type picture struct {
	// end is the number of its last packet.
	end int64
	key bool
}

// ended notes a packet with the marker. `show` must follow.
func (p *pictures) ended(end int64, key bool) {
	if len(p.waiting) == waitingMax {
		p.waiting = p.waiting[1:]
		p.broken = true
	}
	p.waiting = append(p.waiting, picture{end, key})
}

// show moves on over what is whole now.
func (p *pictures) show(l *loss, at time.Time) {
	for len(p.waiting) > 0 && (len(l.holes) == 0 || l.whole(p.waiting[0].end)) {
		first := p.waiting[0]
		p.waiting = p.waiting[1:]
		if first.key {
			p.KeyFrames++
			p.broken = false
		}
		if !p.broken {
			p.shown(at)
		}
	}
	if len(p.waiting) == 0 {
		p.waiting = p.waiting[:0]
	}
}

func (p *pictures) shown(at time.Time) {
	p.Shown++
	if !p.last.IsZero() {
		gap := at.Sub(p.last)
		if p.mean > 0 && gap > max(3*p.mean, p.mean+150*time.Millisecond) {
			p.Freezes++
			p.Frozen += gap
		}
		if p.mean == 0 {
			p.mean = gap
		} else {
			p.mean += (gap - p.mean) / 30
		}
	}
	p.last = at
}

// stalled is for how long nothing has been shown, where that is a freeze by now.
func (p *pictures) stalled(now time.Time) time.Duration {
	if p.last.IsZero() || p.mean == 0 {
		return 0
	}
	gap := now.Sub(p.last)
	if gap > max(3*p.mean, p.mean+150*time.Millisecond) {
		return gap
	}
	return 0
}
