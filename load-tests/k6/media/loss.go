package media

import "time"

const (
	// What has not come after so long is lost: a picture that waits longer is frozen.
	giveUpAfter = 1200 * time.Millisecond
	// A request for a repair is made again after so long, a few times.
	askAgainAfter = 80 * time.Millisecond
	asksMax       = 8
	// More holes than that at once are an outage and not loss to be repaired.
	holesMax = 512
)

// hole is a packet that has not come.
type hole struct {
	since time.Time
	asked time.Time
	asks  int
}

// loss follows the numbers of one stream: what came, what was missing, what was repaired. Numbers are extended to 64 bits.
type loss struct {
	begun                                     bool
	next                                      int64
	Received, Repaired, Lost, Repeated, Asked int64
	holes                                     map[int64]*hole
}

// take notes a packet and returns its extended number; `fresh` is false for what was here before.
func (l *loss) take(sequence uint16, repair bool, at time.Time) (number int64, fresh bool) {
	if !l.begun {
		if repair {
			return 0, false
		}
		l.begun, l.next, l.holes = true, int64(sequence), map[int64]*hole{}
	}
	number = l.next + int64(int16(sequence-uint16(l.next)))
	if number < l.next {
		if _, missing := l.holes[number]; !missing {
			l.Repeated++
			return number, false
		}
		delete(l.holes, number)
		l.count(repair)
		return number, true
	}
	for missing := l.next; missing < number; missing++ {
		if len(l.holes) >= holesMax {
			l.Lost++
			continue
		}
		l.holes[missing] = &hole{since: at}
	}
	l.next = number + 1
	l.count(repair)
	return number, true
}

func (l *loss) count(repair bool) {
	l.Received++
	if repair {
		l.Repaired++
	}
}

// wanted are the numbers to ask for now; what is too old is given up and counted, and `gaveUp` says that it was.
func (l *loss) wanted(now time.Time) (numbers []uint16, gaveUp bool) {
	for number, hole := range l.holes {
		if now.Sub(hole.since) >= giveUpAfter {
			delete(l.holes, number)
			l.Lost++
			gaveUp = true
			continue
		}
		if hole.asks < asksMax && now.Sub(hole.asked) >= askAgainAfter {
			hole.asked = now
			hole.asks++
			l.Asked++
			numbers = append(numbers, uint16(number))
		}
	}
	return numbers, gaveUp
}

// whole: nothing below this number is missing.
func (l *loss) whole(below int64) bool {
	for number := range l.holes {
		if number < below {
			return false
		}
	}
	return true
}
