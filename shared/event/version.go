package event

import (
	"encoding/json"
	"slices"
)

// Version names what the data of payloads look like by the day from which on they do. New fields need no new version;
// one that goes, or means something else, does.
type Version string

// Newest is the version of what is recorded now, and to which a new endpoint is pinned.
func Newest() Version { return versions.newest() }

// Versions lists those that an endpoint can be pinned to, the oldest first.
func Versions() []Version { return versions.names() }

// versions are all that there ever were, the oldest first. Whoever changes what data look like appends one here, with what
// makes of them the data of the version before: endpoints that are pinned to that one go on getting it.
var versions = history{
	{name: "2026-11-29"},
}

// history is a list of versions, the oldest first.
type history []struct {
	name Version
	back func(t Type, data json.RawMessage) (json.RawMessage, error) // nil for the oldest
}

func (h history) newest() Version { return h[len(h)-1].name }

func (h history) names() []Version {
	var all []Version
	for _, v := range h {
		all = append(all, v.name)
	}
	return all
}

// place is where a version stands; the oldest, for what says none: it was recorded, or made, when there was but one.
func (h history) place(v Version) int { return max(slices.Index(h.names(), v), 0) }

// as is an event's data in the version that is asked for or, where it was recorded in an older one, in that.
func (h history) as(e Event, asked Version) (json.RawMessage, Version, error) {
	data, at := e.data(), h.place(e.Recorded)
	for ; at > h.place(asked); at-- {
		var err error
		if data, err = h[at].back(e.Type, data); err != nil {
			return nil, "", err
		}
	}
	return data, h[at].name, nil
}
