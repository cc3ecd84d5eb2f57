// Package task is long work that somebody asked for, done a slice at a time: a record says what, how fast and how far,
// and one message after the other moves it on.
//
// It promises:
//
//   - A task goes on from where it is recorded to have come, whoever is stopped between any two calls: the message of
//     its turn comes again. A step that was done and not recorded is done once more, so a Kind's step must be one that
//     does no harm the second time.
//   - Each record is written under the version of the one before. Of two copies of a message one is overtaken and lets
//     go; it leaves its message in the queue, so that it takes over should the other one die.
//   - To pause, to resume, to cancel and to change the rate takes hold with the next step, about a second later; what
//     a step did just then is still recorded.
//   - The rate is kept over each second and over slices. A step that is done twice counts once in the progress.
//   - Of the tasks about one subject only one is not at its end; the same one asked for again is the same task, and goes on
//     if it was paused.
//   - A task whose message was lost (it lies in the dead-letter queue, say) is seen to have stalled: it was not moved for
//     StalledAfter. To look at it by its id, to resume it, or to ask for it once more sends the message of the same turn
//     again, once in StalledAfter: where the first one only waits in a long queue, it keeps its place.
//
// It knows nothing of what is done: that is a Kind, named by the task.
package task
