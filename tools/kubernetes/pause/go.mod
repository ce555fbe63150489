module atomctl.test/pause

go 1.24
