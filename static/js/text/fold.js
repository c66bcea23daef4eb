// Letters that differ in nothing but case or Unicode form become the same: chatproject/core/names.py does it alike.

export const fold = (text) =>
  text
    .normalize("NFD")
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll("ς", "σ")
    .replaceAll("i\u0307", "i")
    .normalize("NFC");
