package media

import (
	"encoding/json"
	"strings"

	"veilcast/load-tests/k6/call"
)

// capabilities are those of the Router, of the codecs and extensions that a viewer here can follow.
func capabilities(of call.RtpCapabilities) call.RtpCapabilities {
	own := call.RtpCapabilities{Codecs: []call.RtpCodec{}, HeaderExtensions: []call.HeaderExtension{}}
	followed := map[uint8]bool{}
	for _, codec := range of.Codecs {
		switch strings.ToLower(codec.MimeType) {
		case "audio/opus", "video/vp8":
			followed[codec.PreferredPayloadType] = true
			own.Codecs = append(own.Codecs, codec)
		case "video/rtx":
			if followed[aptOf(codec)] {
				own.Codecs = append(own.Codecs, codec)
			}
		}
	}
	for _, extension := range of.HeaderExtensions {
		if extension.URI == captureTime || extension.URI == transportWide {
			own.HeaderExtensions = append(own.HeaderExtensions, extension)
		}
	}
	return own
}

// aptOf is the payload type that a stream of repairs belongs to (RFC 4588, §8.6).
func aptOf(codec call.RtpCodec) uint8 {
	var parameters struct{ Apt uint8 }
	if json.Unmarshal(codec.Parameters, &parameters) != nil {
		return 0
	}
	return parameters.Apt
}
