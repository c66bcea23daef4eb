// Changes the picture of a person or a group: it is chosen, uploaded like all media, and set by the API.

import { Api } from "../net/api.js";
import { upload } from "../net/upload.js";

const box = document.querySelector("[data-avatar-upload]");
const find = (part) => box.querySelector(`[data-avatar-upload-${part}]`);
const api = new Api("/api/v1", box.dataset.csrfToken);
const [file, choose] = [find("file"), find("choose")];

const set = async (id) => {
  await api.setAvatar(box.dataset.avatarUpload, id);
  location.reload();
};

const attempt = async (task) => {
  choose.disabled = true;
  find("trouble").hidden = true;
  try {
    await task();
  } catch (failure) {
    find("trouble").textContent = failure.code ? failure.message : "That did not work. Please try again.";
    find("trouble").hidden = false;
    choose.disabled = false;
  }
};

const onProgress = (part) => choose.style.setProperty("--part", `${Math.round(100 * part)}%`);

choose.addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  const [picture] = file.files;
  const { signal } = new AbortController();
  if (picture) attempt(async () => set(await upload(api, picture, { onProgress, signal })));
});
find("remove")?.addEventListener("click", () => attempt(() => set(null)));
box.hidden = false;
