"""Pages a person opens: server-rendered, in Chinese and English, without a build step or another host."""
