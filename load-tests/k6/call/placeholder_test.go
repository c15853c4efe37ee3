package call

import (
	"bytes"
	"testing"
)

func TestVectorsAreReadAsWritten(t *testing.T) {
	for _, length := range []int{0, 1, 63, 64, 16383, 16384, 300_000} {
		written := bytes.Repeat([]byte{7}, length)
		read, ok := readVector(append(vector(nil, written), 9, 9))
		if !ok || !bytes.Equal(read, written) {
			t.Errorf("%d bytes came back as %d", length, len(read))
		}
	}
	for _, cut := range [][]byte{nil, {0x40}, {5, 1}, {0xc0, 0, 0, 0, 0, 0, 0, 0}} {
		if _, ok := readVector(cut); ok {
			t.Errorf("%x was taken", cut)
		}
	}
}

func TestGroupIsFoundInItsInfo(t *testing.T) {
	first, second := newPlaceholder("demo"), newPlaceholder("demo")
	id, ok := readVector(first.groupInfo(3)[8:])
	if !ok || !bytes.Equal(id, first.groupID) || bytes.Equal(id, second.groupID) {
		t.Errorf("%x is not %x", id, first.groupID)
	}
}
