package media

import (
	"testing"
	"time"
)

// passed sends so many packets of 1,000 bytes, one each interval, and says how many came, how late the latest was and in which time.
func passed(link Link, count int, interval time.Duration) (came int, latest, took time.Duration) {
	began := time.Unix(1_000, 0)
	for i := range count {
		sent := began.Add(time.Duration(i) * interval)
		if at, does := link.carry(1_000, sent); does {
			came++
			latest, took = max(latest, at.Sub(sent)), at.Sub(began)
		}
	}
	return came, latest, took
}

func TestALinkByItselfDoesNothing(t *testing.T) {
	if came, latest, _ := passed(Link{}, 1_000, time.Millisecond); came != 1_000 || latest != 0 {
		t.Errorf("%d came, the latest after %v", came, latest)
	}
}

func TestALinkLosesItsShare(t *testing.T) {
	came, latest, _ := passed(Link{LossPercent: 10}, 20_000, time.Millisecond)
	// Four standard deviations of a binomial: 170.
	if came < 18_000-170 || came > 18_000+170 || latest != 0 {
		t.Errorf("%d of 20000 came, the latest after %v", came, latest)
	}
}

func TestANarrowLinkPassesItsRateAndThrowsAwayWhatWaitsTooLong(t *testing.T) {
	// 8 Mb/s wanted, 800 kb/s pass: one packet in 10 ms.
	came, latest, took := passed(Link{BitsPerSecond: 800_000}, 10_000, time.Millisecond)
	rate := float64(came) * 8_000 / took.Seconds()
	if rate < 790_000 || rate > 810_000 || latest > queueMax+10*time.Millisecond {
		t.Errorf("%.0f bits/s, the latest after %v", rate, latest)
	}
	if came, latest, _ := passed(Link{BitsPerSecond: 800_000}, 1_000, 11*time.Millisecond); came != 1_000 || latest != 10*time.Millisecond {
		t.Errorf("what fits: %d came, the latest after %v", came, latest)
	}
}
