'use strict'
// Publishes what came of a Signer's fetches on the channels of diagnostics_channel that index.d.ts lists.

// A subscriber that asks the same Signer for a token could cause the next event, and so on without end.
let isPublishing = false

/** Publishes events of the native half. `makeError` makes an RdsignError of a code and a message. */
function publish(signer, events, makeError) {
  if (isPublishing) return
  // Not before the first event: a program without network may not need the module at all.
  const { channel } = require('node:diagnostics_channel')
  isPublishing = true
  try {
    for (const { name, message, isWarning, source, duration, expiresAt, code, reason } of events) {
      const subscribers = channel(`rdsign:credentials:${name}`)
      if (!subscribers.hasSubscribers) continue
      const event = { signer, message, isWarning, duration }
      if (source !== undefined) event.source = source
      if (expiresAt !== undefined) event.expiresAt = new Date(expiresAt)
      if (code !== undefined) event.error = makeError(code, reason)
      subscribers.publish(event)
    }
  } finally {
    isPublishing = false
  }
}

module.exports = { publish }
