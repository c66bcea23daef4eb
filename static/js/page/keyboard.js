// How keyboard events are read.

/**
 * Whether a key belongs to an input method, which uses Enter and the arrows to choose a word. Safari ends the
 * composition before it sends the key event: then only the key code 229 shows it.
 */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;
