package callback

import (
	"time"

	"farrier/shared/problem"
)

// Care is how long a connection's callbacks are kept and when somebody is told that none come, whatever the provider.
type Care struct {
	KeepDays   int `json:"keep_days,omitempty" minimum:"1" maximum:"3650" doc:"how many days a callback is kept from when it comes; without it as many as the deployment says" dynamodbav:"keep_days,omitempty"`
	QuietAfter int `json:"quiet_after,omitempty" minimum:"300" maximum:"2592000" doc:"seconds without a callback after which an alarm is raised; without it none is" dynamodbav:"quiet_after,omitempty"`
}

const (
	mostDays   = 3650
	leastQuiet = 300
	mostQuiet  = 30 * 24 * 60 * 60
)

// WatchedPartition is the one partition of the sparse index of connections that are watched.
const WatchedPartition = "watched"

func (c Care) check() error {
	switch {
	case c.KeepDays != 0 && (c.KeepDays < 1 || c.KeepDays > mostDays):
		return problem.Field("keep_days", "must be from 1 to 3650")
	case c.QuietAfter != 0 && (c.QuietAfter < leastQuiet || c.QuietAfter > mostQuiet):
		return problem.Field("quiet_after", "must be from 300 to 2592000 seconds")
	}
	return nil
}

// keepFor is how long a callback is kept, where the connection says so.
func (c Care) keepFor() time.Duration { return time.Duration(c.KeepDays) * 24 * time.Hour }

// quiet is how long a connection may say nothing.
func (c Care) quiet() time.Duration { return time.Duration(c.QuietAfter) * time.Second }

// watchedFrom puts a connection into the index of those that are watched, or takes it out. Its time begins anew where it
// was not watched before, or for another time.
func (c Connection) watchedFrom(now time.Time, before Connection) Connection {
	switch {
	case c.Disabled || c.QuietAfter == 0:
		c.Watched, c.WatchedSince = "", time.Time{}
	case before.Watched == "" || before.QuietAfter != c.QuietAfter:
		c.Watched, c.WatchedSince = WatchedPartition, now
	}
	return c
}

// Quiet says whether nothing has come for longer than the connection may be quiet. The latest is the time of the last
// callback that is known, and behind is how far behind that knowledge may be.
func (c Connection) Quiet(latest, now time.Time, behind time.Duration) bool {
	return c.Watched != "" && now.After(c.QuietFrom(latest, behind))
}

// QuietFrom is when the connection becomes quiet unless something comes.
func (c Connection) QuietFrom(latest time.Time, behind time.Duration) time.Time {
	if latest.Before(c.WatchedSince) {
		latest = c.WatchedSince
	}
	return latest.Add(c.quiet() + behind)
}
