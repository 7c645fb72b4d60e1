/** What the plain widget looks like. */
export const styles = `
:host { all: initial; position: fixed; z-index: 9999; bottom: 20px; right: 20px; font: 15px/1.45 system-ui, sans-serif; }
.bubble { width: 56px; height: 56px; border: 0; border-radius: 50%; background: #3b4fe0; color: #fff; cursor: pointer; }
.panel { position: absolute; bottom: 72px; right: 0; display: flex; flex-direction: column; width: 340px; height: 480px;
  border: 1px solid #ccc; border-radius: 12px; background: #fff; color: #222; overflow: hidden; }
[hidden] { display: none !important; }
header { padding: 14px; font-weight: 600; border-bottom: 1px solid #ddd; }
.log { flex: 1; overflow-y: auto; margin: 0; padding: 14px; list-style: none; }
.log li { margin-bottom: 8px; }
.own { text-align: right; }
form { display: flex; gap: 8px; padding: 10px; border-top: 1px solid #ddd; }
input { flex: 1; }
`;
