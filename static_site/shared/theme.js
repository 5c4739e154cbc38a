// Sets the light or dark theme before the first paint; settings.js does the rest.

try {
  const { theme } = JSON.parse(localStorage.getItem("verdict.settings") ?? "{}");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without readable storage, the system's theme stays.
}
