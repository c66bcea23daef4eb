// An unsent message of the outbox, in the form in which the timeline draws messages.

export const messageOf = (unsent, userId) => ({
  ...unsent,
  sender_id: userId,
  kind: "text",
  media: (unsent.files ?? []).map(mediaOf),
  created_at: new Date(unsent.written).toISOString(),
});

export const stateOf = ({ reason }) => (reason ? { state: "failed", reason } : { state: "sending" });

const urls = new WeakMap();

/** A file that is not uploaded yet, shown from this browser. */
function mediaOf(file, n) {
  const url = urls.get(file) ?? URL.createObjectURL(file);
  urls.set(file, url);
  return { id: `${n}`, kind: kindOf(file), filename: file.name, content_type: file.type, size: file.size, url };
}

const kindOf = ({ type }) => ["image", "video", "audio"].find((kind) => type.startsWith(`${kind}/`)) ?? "file";
