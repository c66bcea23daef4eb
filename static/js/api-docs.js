// Shows the OpenAPI document. A person who is signed in can try the calls.

const place = document.querySelector("[data-document]");
const { document: url, csrfToken } = place.dataset;

const dark = matchMedia("(prefers-color-scheme: dark)");
const applyTheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", applyTheme);
applyTheme();

window.SwaggerUIBundle({
  url,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (new URL(request.url, location).origin === location.origin) request.headers["X-CSRFToken"] = csrfToken;
    return request;
  },
});
